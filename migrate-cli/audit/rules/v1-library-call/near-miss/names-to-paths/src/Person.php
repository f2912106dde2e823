<?php
$zoom->user->create($data);
$zoom->meeting->list();
