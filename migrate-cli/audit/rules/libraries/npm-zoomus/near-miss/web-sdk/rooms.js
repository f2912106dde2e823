import { ZoomMtg } from '@zoomus/websdk';

ZoomMtg.join({ meetingNumber });
