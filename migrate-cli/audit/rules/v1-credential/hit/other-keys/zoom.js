// api_key: 'Jm4tQ8wZr2LxN7vBk5HsYd'
const url = 'https://api.zoom.us/v1/user/list';
const key = 'Jm4tQ8wZr2LxN7vBk5HsYd';
const checksum = 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a';
const form = { api_key: readFromVault12345678 };
