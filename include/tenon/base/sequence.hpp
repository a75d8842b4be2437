// A read-only array, and a growing one for constant expressions and for run time alike (libstdc++ 12's vector is not
// usable in constant expressions under every compiler we support).
// SPDX-License-Identifier: MIT
#pragma once

namespace tenon {

/// A read-only array.
template <class T> struct list {
  const T* data = nullptr;
  int size = 0;
  constexpr const T& operator[](int i) const { return data[i]; }
  constexpr const T* begin() const { return data; }
  constexpr const T* end() const { return data + size; }
};

/// A minimal growing array. Raw storage, so that clang counts few constexpr steps per access.
template <class T> class sequence {
 public:
  constexpr sequence() = default;
  constexpr explicit sequence(int count, const T& value = T{}) { resize(count, value); }
  constexpr sequence(const sequence& other) { *this = other; }
  constexpr sequence(sequence&& other) noexcept { swap(other); }
  constexpr ~sequence() { delete[] data_; }
  constexpr sequence& operator=(const sequence& other) {
    if (this == &other) return *this;
    size_ = 0;
    reserve(other.size_);
    for (int i = 0; i < other.size_; ++i) data_[i] = other.data_[i];
    size_ = other.size_;
    return *this;
  }
  constexpr sequence& operator=(sequence&& other) noexcept {
    swap(other);
    return *this;
  }

  constexpr int size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* data() { return data_; }
  constexpr const T* data() const { return data_; }
  constexpr T& operator[](int i) { return data_[i]; }
  constexpr const T& operator[](int i) const { return data_[i]; }
  constexpr T* begin() { return data_; }
  constexpr T* end() { return data_ + size_; }
  constexpr const T* begin() const { return data_; }
  constexpr const T* end() const { return data_ + size_; }
  constexpr T& back() { return data_[size_ - 1]; }

  constexpr int push(const T& value) {
    if (size_ == capacity_) {
      const T copy = value;  // value may live in this sequence
      reserve(capacity_ ? 2 * capacity_ : 16);
      data_[size_] = copy;
    } else {
      data_[size_] = value;
    }
    return size_++;
  }
  constexpr void pop() { --size_; }
  constexpr void clear() { size_ = 0; }
  constexpr void reserve(int count) {
    if (count <= capacity_) return;
    T* grown = new T[static_cast<unsigned>(count)]{};
    for (int i = 0; i < size_; ++i) grown[i] = static_cast<T&&>(data_[i]);
    delete[] data_;
    data_ = grown;
    capacity_ = count;
  }
  constexpr void resize(int count, const T& value = T{}) {
    reserve(count);
    for (int i = size_; i < count; ++i) data_[i] = value;
    size_ = count;
  }

 private:
  constexpr void swap(sequence& other) noexcept {
    T* d = data_;
    data_ = other.data_;
    other.data_ = d;
    int s = size_;
    size_ = other.size_;
    other.size_ = s;
    int c = capacity_;
    capacity_ = other.capacity_;
    other.capacity_ = c;
  }
  T* data_ = nullptr;
  int size_ = 0;
  int capacity_ = 0;
};

}  // namespace tenon
