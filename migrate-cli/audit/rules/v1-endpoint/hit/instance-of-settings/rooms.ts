export class Rooms {
  private readonly api = axios.create({ baseURL: environment.zoomUrl });

  people(): Promise<User[]> {
    return this.api.post<User[]>('/user/list', null, { params: this.credentials() });
  }
}
