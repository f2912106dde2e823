var Zoom = require('zoomus')({ key: process.env.ZOOM_KEY, secret: 'Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i' });
