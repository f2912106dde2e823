class User
{
    void Show(Dictionary<string, string> form)
    {
        var user = JObject.Parse(Post("https://api.zoom.us/v1/user/get", form));
        row.Chat = user.Value<bool>("disable_chat");
        row.Zpk = user.GetValue("zpk") + user["lastLoginTime"];
    }
}
