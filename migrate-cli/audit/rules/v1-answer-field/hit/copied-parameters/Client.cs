class Rooms {
    const string Base = "https://api.zoom.us/v1/";
    public string People() { return Send(Base + "user/list", null); }
    public string Open(Form form) {
        var meeting = new { option_jbh = form.option_jbh };
        return Send(Base + "meeting/create", meeting);
    }
}
