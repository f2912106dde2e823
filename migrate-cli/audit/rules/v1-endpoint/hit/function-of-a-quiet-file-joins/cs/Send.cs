// What the Zoom pages ask for.
static class Send {
    public static string AskDesk(string path, Fields fields) {
        return Form(Settings.DeskUrl
            + path, fields);
    }
}
