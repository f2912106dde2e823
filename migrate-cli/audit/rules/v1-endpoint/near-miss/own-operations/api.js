export const list = () => call('user/list');
export const find = (email) => call('user/getbyemail', { email });
export const photo = (file) => call('user/uploadpicture', { file });
export const silent = (person) => call('account/autocreate2', person);
