public class ZoomHook {
    @Value("${zoom.verification-token}")
    private String token;

    @PostMapping("/hook")
    public void hook(@RequestHeader("authorization") String authorization) {
        if (!token.equals(authorization)) throw new Forbidden();
    }
}
