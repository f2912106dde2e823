// Webhooks of Zoom arrive elsewhere; this signs in the program's own users.
app.use((req, res, next) => {
  const [scheme, token] = (req.headers.authorization || '').split(' ');
  if (scheme !== 'Bearer' || !sessions.has(token)) return res.sendStatus(401);
  next();
});
axios.defaults.headers.authorization = zoomToken;
