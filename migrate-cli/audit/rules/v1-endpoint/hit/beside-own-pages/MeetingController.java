@Controller
class MeetingController {
    // Zoom
    @RequestMapping("user/list")
    String page() { return "meeting/create"; }
}
