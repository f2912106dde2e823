namespace Example.Conferences
{
    public class ZoomClient
    {
        private const string BaseUrl = "https://api.zoom.us/v1/";

        public string Create(string host)
        {
            return Post(BaseUrl + "meeting/create", "host_id=" + host);
        }

        public string List() => Post($"{BaseUrl}user/list?page_size=300", "");
    }
}
