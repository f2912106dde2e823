// Zoom
app.post("/zoom", (req, res) => {
  console.log("STARTED", req.body.status, req.body.uuid, req.body.host_id);
  res.end();
});
