INSERT INTO `settings` VALUES (1, 'url1', 'https://api.zoom.us/v1/', 'zoom', '');
INSERT INTO `settings` VALUES ('2', 'key1', 'Jm4tQ8wZr2LxN7vBk5HsYd', 'zoom', '');
INSERT INTO settings (id, grp, name, kind, val) VALUES (3, 'zoom', 'secret1', 'string', 'c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a');
INSERT INTO settings VALUES
  (4, 'It''s (old)', N'key', N'Kn5uR9xAs3MyP8wCm6JtZe', 'Zoom API', NOW()),
  (5, 'b', 'secret', 'd8YlU4nXr6SaM3wPg9JcK7tZeH5qR2uLxA0b', 'zoom', NOW());
INSERT INTO settings VALUES (6, 'key2', 'Lp6vS2yBt4NzQ9xDn7KuAf', 'zoom'), (7, 'secret2', 'e7ZmV5oYs8TbN4xQh2KdL9uAfJ6rS3vMyB0c', 'zoom');
8	key3	Mq7wT3zCu5OaR2yEp8LvBg	zoom
-- Not credentials of Zoom:
INSERT INTO settings VALUES (9, 'host_id1', 'Nr8xU4aDv6PbS3zFq9MwCh', 'zoom', '');
INSERT INTO settings VALUES (10, 'key1', 'Os9yV5bEw7QcT4aGr2NxDi', 'payments', '');
INSERT INTO settings VALUES (11, 'title_key', 'meeting_title_2_columns', 'zoom', '');
INSERT INTO settings VALUES (12, 'key4', '', 'zoom', 'Pt2zW6cFx8RdU5bHs3OyEj');
INSERT INTO settings VALUES (13, 'zoom', '5'), (14, 'key', 'Qu3aX7dGy9SeV6cIt4PzFk');
INSERT INTO settings VALUES (15, 'key5', 'YOUR_KEY_GOES_HERE_Aa1', 'zoom', '');
INSERT INTO settings VALUES ('Rv4bY8eHz2TfW7dJu5QaGl', 'key6', '1', 'zoom', '');
INSERT INTO settings VALUES (16, 'maps', 'key', 'Sw5cZ9fIa3UgX8eKv6RbHm', 'zoom', '12');
