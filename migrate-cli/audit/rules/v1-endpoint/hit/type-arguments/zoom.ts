// Rooms of Zoom.
export const find = (query: Query) => client.send<Person>("user/getbyemail", query);
export const open = (query: Query) => client.send<Room>("meeting/create", query);
