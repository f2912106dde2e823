const router = express.Router();
// Meetings are held on https://api.zoom.us/v2/users/me/meetings
router.post('/meeting/create', create);
router.get('/user/list', list);
app.get('/user/getByEmail', find);
