@RestController
class UserController {
    // sends the Zoom link
    @GetMapping("/user/getbyemail")
    User find(String email) { return users.find(email); }
}
