#define ZOOM_API_KEY @"Jm4tQ8wZr2LxN7vBk5HsYd"
static NSString *const url = @"https://api.zoom.us/v1/user/list";
static NSString *const kApiSecret = @"c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a";
