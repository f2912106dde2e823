public class ZoomPushServlet extends HttpServlet {
    protected void doPost(HttpServletRequest request, HttpServletResponse response) {
        String id = request.getParameter("id");
        String uuid = request.getParameter("uuid");
        String status = request.getParameter("status");
        String host = request.getParameter("host_id");
        log.info(request.getHeader("Authorization"));
        store.save(new Push(id, uuid, status, host));
        if ("STARTED".equals(status)) {
            rooms.open(uuid);
        } else if ("ENDED".equals(status)) {
            rooms.close(uuid);
        }
    }
}
