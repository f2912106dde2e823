class List
{
    const string Word = "Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i";
    string All() => Post("https://api.zoom.us/v1/user/list", "api_key=" + key + "&api_secret=" + Word);
}
