<?php
Route::post('user/create', 'UserController@create');
Route::get('/user/list', 'UserController@index');
