<?php
// zoom
$route['zoom/list'] = 'user/list';
$this->authorize('user/create');
