public class ZoomHook : Controller
{
    [HttpPost]
    public IActionResult Push()
    {
        var uuid = Request.Form["uuid"];
        var host = Request.Form["host_id"];
        switch (Request.Form["status"].ToString())
        {
            case "STARTED": _rooms.Open(uuid, host); break;
            case "ENDED": _rooms.Close(uuid, host); break;
        }
        return Ok();
    }
}
