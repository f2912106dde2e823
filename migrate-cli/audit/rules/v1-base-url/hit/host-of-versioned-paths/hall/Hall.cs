class Hall
{
    HttpClient client = new HttpClient { BaseAddress = new Uri("https://api.zoom.us") };
    Task<HttpResponseMessage> All() => client.PostAsync("/v1/user/list", form);
}
