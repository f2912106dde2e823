<?php
$zoom->listUsers();
$zoom->createAMeeting($data);
