// Zoom's webhooks of 2018: JSON with meeting_started and meeting_ended.
app.post("/zoom", (req, res) => {
  const { event, payload } = req.body;
  if (event === "meeting_started") track(payload.meeting.uuid, payload.meeting.host_id);
  res.status(200).end();
});
