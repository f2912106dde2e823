module.exports = require('zoomus')({ key: process.env.KEY, secret: process.env.SECRET });
