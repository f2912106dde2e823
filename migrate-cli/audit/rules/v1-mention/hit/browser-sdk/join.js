Zoom.init('https://www.zoom.us/api/v1');
Zoom.joinMeeting({ number: number });
