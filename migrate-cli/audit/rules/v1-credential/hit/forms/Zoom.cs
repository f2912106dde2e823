class Zoom
{
    const string Url = "https://api.zoom.us/v1/user/list";
    Dictionary<string, string> form = new Dictionary<string, string> { { "api_key", "Jm4tQ8wZr2LxN7vBk5HsYd" } };
    KeyValuePair<string, string> secret = new KeyValuePair<string, string>("api_secret", "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a");
}
