const zoomSec = "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a";
request("https://api.zoom.us/v1/user/list", zoomSec);
// Other names with these letters:
const zoomSection = "Vb7Kd0sLq2WvRz5Tn8Yb3Xc9Mf1Gj4Pe6Uah";
const zoomSeconds = "Vb7Kd0sLq2WvRz5Tn8Yb3Xc9Mf1Gj4Pe6Uah";
const sec = "Vb7Kd0sLq2WvRz5Tn8Yb3Xc9Mf1Gj4Pe6Uah";
const zoomLengthSec = "Vb7Kd0sLq2WvRz5Tn8Yb3Xc9Mf1Gj4Pe6Uah";
