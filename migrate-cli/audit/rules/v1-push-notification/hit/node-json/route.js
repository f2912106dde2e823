const router = require("express").Router();

router.post("/notify", (req, res) => {
  if (req.body.type === "RECORDING_MEETING_COMPLETED") {
    const [video, sound] = req.body.content.recording_files;
    convert(video.file_path, sound.file_path);
    res.status(200).end();
  }
});
