@FeignClient(name = "rooms", url = "https://api.zoom.us/v1")
interface Rooms {
    @PostMapping("/meeting/list")
    Page list(@RequestParam Map<String, String> form);

    @RequestMapping(method = RequestMethod.POST, value = "/meeting/end")
    Ended end(@RequestParam Map<String, String> form);
}
