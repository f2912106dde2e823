import * as http from "node:http";
export class Client {
  private base: string = "https://api.zoom.us/v1";
}
enum Bases { Old = "https://api.zoom.us/v1" }
