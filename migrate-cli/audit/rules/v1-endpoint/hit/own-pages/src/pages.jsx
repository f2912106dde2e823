// pages about zoom
export const pages = [
  { path: 'meeting/create', element: <Create /> },
  { path: 'user/get', component: Person, meta: { title: 'zoom' } },
];
