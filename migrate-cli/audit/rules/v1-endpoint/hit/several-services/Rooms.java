class Rooms {
    Map<String, String> open(Map<String, String> form) throws IOException {
        String url = "user/custcreate";
        return Json.read(Messages.ask(form, url));
    }
}
