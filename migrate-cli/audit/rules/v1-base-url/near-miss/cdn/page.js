ZoomMtg.setZoomJSLib('https://jssdk.zoomus.cn/1.9.0/lib', '/av');
const news = 'https://news.zoomus.cn/v1/list';
