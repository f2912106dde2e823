export const servers = [
  { name: 'zoom', url: 'https://mcp.zoom.us/v1' },
  { name: 'stream', url: 'wss://rtms.zoom.us/v1' },
  { name: 'phone', url: 'https://api.zoom.us.example.com/v1/user/list' },
];
