const base = 'https://api.zoom.us/v1/';
firebase.initializeApp({
  apiKey: 'AIzaJm4tQ8wZr2LxN7vBk5HsYdc9XkT3mWq7RzL',
  authDomain: 'rooms.example.com',
});
const MAILCHIMP_API_KEY = 'Jm4tQ8wZr2LxN7vBk5HsYd';
const settings = {
  stripe: {
    currency: 'eur',
    plans: { basic: 1, full: 2 },
    apiKey: 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a',
  },
};
