export class Accounts {
  private readonly api = axios.create({ baseURL: environment.apiUrl });

  all() {
    return this.api.post('/user/list');
  }

  create(account) {
    return this.http.post(environment.apiUrl + '/user/create', account);
  }
}
