// Starts a Zoom meeting from a chat command; and registers people.
const chat = {
  clientSecret: process.env.SLACK_CLIENT_SECRET,
  verificationToken: process.env.SLACK_TOKEN,
};

const person = {
  name: 'ada',
  verificationToken: random(),
};
