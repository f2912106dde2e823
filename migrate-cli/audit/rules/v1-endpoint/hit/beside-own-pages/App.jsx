// Zoom rooms
export const App = () => (
  <Routes>
    <Route path="meeting/create" element={<MeetingCreate />} />
    <Link to="user/list">Users</Link>
  </Routes>
);
