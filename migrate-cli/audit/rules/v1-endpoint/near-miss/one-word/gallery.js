// zoom in on a picture
export const save = (file) => client.post('user/uploadpicture', file);
