<?php // Zoom ?>
<a href="user/list">Users</a>
<?php echo View::make('user/create'); ?>
