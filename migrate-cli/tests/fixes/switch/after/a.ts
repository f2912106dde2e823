import * as http from "node:http";
export class Client {
  private base: string = process.env.ZOOM_API_BASE || "https://api.zoom.us/v1";
}
enum Bases { Old = "https://api.zoom.us/v1" }
