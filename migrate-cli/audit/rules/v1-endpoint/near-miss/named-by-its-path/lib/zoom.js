exports.wheel = (view) => view.on('wheel', (event) => rescale(event));
exports.list = () => load('user/list');
exports.save = (item) => store('user/create', item);
