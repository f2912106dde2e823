app.post("/", (req, res) => {
  if (req.headers.authorization === process.env.zoom_verification_token) {
    console.log("Zoom event", req.body.event);
    res.status(200).end();
  } else {
    res.status(401).end();
  }
});
