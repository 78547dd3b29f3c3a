# Debian's clang, lld and wasi-libc as a toolchain: cmake -DCMAKE_TOOLCHAIN_FILE=wasi.cmake
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_BUILD_TYPE Release)
