const crypto = require("crypto");

app.post("/zoom", (req, res) => {
  const message = `v0:${req.headers["x-zm-request-timestamp"]}:${req.rawBody}`;
  const hash = crypto.createHmac("sha256", process.env.ZOOM_SECRET_TOKEN).update(message).digest("hex");
  if (req.headers["x-zm-signature"] !== `v0=${hash}`) return res.status(401).end();
  const { uuid, host_id } = req.body.payload.object;
  if (req.body.event === "meeting.started") rooms.save({ uuid, host_id, status: "STARTED" });
  if (req.body.event === "meeting.ended") rooms.save({ uuid, host_id, status: "ENDED" });
  res.status(req.body.status === "STARTED" ? 200 : 204).end();
});
