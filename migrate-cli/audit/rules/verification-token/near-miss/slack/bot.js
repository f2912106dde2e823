// Starts a Zoom meeting from a Slack command.
if (req.body.token !== process.env.SLACK_VERIFICATION_TOKEN) return res.status(401).end();
if (req.body.token !== process.env.VERIFICATION_TOKEN) return res.status(401).end();
