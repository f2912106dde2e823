class People {
    string All() { return Send.AskDesk("user/list", new Fields()); }
}
