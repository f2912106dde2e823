public class RoomController {
    // opens a zoom room
    void secure(HttpSecurity http) {
        http.authorizeRequests().antMatchers("/user/create", "/meeting/create").permitAll();
    }

    ModelAndView list() {
        return new ModelAndView("user/list");
    }
}
