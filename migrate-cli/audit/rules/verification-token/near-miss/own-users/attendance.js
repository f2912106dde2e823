// Attendance by Zoom webhooks, or by the program's own people.
router.post('/attend/:id', async (req, res) => {
  const token = req.headers.authorization;
  const person = jwt.verify(token, key);
  res.json(await attend(req.params.id, person));
});
