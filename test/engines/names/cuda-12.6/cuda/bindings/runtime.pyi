# From cuda-python 12.6.2.post1 by extract.py.
import enum
from typing import Any

cudaStreamNonBlocking: int
class cudaError_t(enum.IntEnum):
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorInitializationError = 3
    cudaErrorCudartUnloading = 4
    cudaErrorProfilerDisabled = 5
    cudaErrorProfilerNotInitialized = 6
    cudaErrorProfilerAlreadyStarted = 7
    cudaErrorProfilerAlreadyStopped = 8
    cudaErrorInvalidConfiguration = 9
    cudaErrorInvalidPitchValue = 12
    cudaErrorInvalidSymbol = 13
    cudaErrorInvalidHostPointer = 16
    cudaErrorInvalidDevicePointer = 17
    cudaErrorInvalidTexture = 18
    cudaErrorInvalidTextureBinding = 19
    cudaErrorInvalidChannelDescriptor = 20
    cudaErrorInvalidMemcpyDirection = 21
    cudaErrorAddressOfConstant = 22
    cudaErrorTextureFetchFailed = 23
    cudaErrorTextureNotBound = 24
    cudaErrorSynchronizationError = 25
    cudaErrorInvalidFilterSetting = 26
    cudaErrorInvalidNormSetting = 27
    cudaErrorMixedDeviceExecution = 28
    cudaErrorNotYetImplemented = 31
    cudaErrorMemoryValueTooLarge = 32
    cudaErrorStubLibrary = 34
    cudaErrorInsufficientDriver = 35
    cudaErrorCallRequiresNewerDriver = 36
    cudaErrorInvalidSurface = 37
    cudaErrorDuplicateVariableName = 43
    cudaErrorDuplicateTextureName = 44
    cudaErrorDuplicateSurfaceName = 45
    cudaErrorDevicesUnavailable = 46
    cudaErrorIncompatibleDriverContext = 49
    cudaErrorMissingConfiguration = 52
    cudaErrorPriorLaunchFailure = 53
    cudaErrorLaunchMaxDepthExceeded = 65
    cudaErrorLaunchFileScopedTex = 66
    cudaErrorLaunchFileScopedSurf = 67
    cudaErrorSyncDepthExceeded = 68
    cudaErrorLaunchPendingCountExceeded = 69
    cudaErrorInvalidDeviceFunction = 98
    cudaErrorNoDevice = 100
    cudaErrorInvalidDevice = 101
    cudaErrorDeviceNotLicensed = 102
    cudaErrorSoftwareValidityNotEstablished = 103
    cudaErrorStartupFailure = 127
    cudaErrorInvalidKernelImage = 200
    cudaErrorDeviceUninitialized = 201
    cudaErrorMapBufferObjectFailed = 205
    cudaErrorUnmapBufferObjectFailed = 206
    cudaErrorArrayIsMapped = 207
    cudaErrorAlreadyMapped = 208
    cudaErrorNoKernelImageForDevice = 209
    cudaErrorAlreadyAcquired = 210
    cudaErrorNotMapped = 211
    cudaErrorNotMappedAsArray = 212
    cudaErrorNotMappedAsPointer = 213
    cudaErrorECCUncorrectable = 214
    cudaErrorUnsupportedLimit = 215
    cudaErrorDeviceAlreadyInUse = 216
    cudaErrorPeerAccessUnsupported = 217
    cudaErrorInvalidPtx = 218
    cudaErrorInvalidGraphicsContext = 219
    cudaErrorNvlinkUncorrectable = 220
    cudaErrorJitCompilerNotFound = 221
    cudaErrorUnsupportedPtxVersion = 222
    cudaErrorJitCompilationDisabled = 223
    cudaErrorUnsupportedExecAffinity = 224
    cudaErrorUnsupportedDevSideSync = 225
    cudaErrorInvalidSource = 300
    cudaErrorFileNotFound = 301
    cudaErrorSharedObjectSymbolNotFound = 302
    cudaErrorSharedObjectInitFailed = 303
    cudaErrorOperatingSystem = 304
    cudaErrorInvalidResourceHandle = 400
    cudaErrorIllegalState = 401
    cudaErrorLossyQuery = 402
    cudaErrorSymbolNotFound = 500
    cudaErrorNotReady = 600
    cudaErrorIllegalAddress = 700
    cudaErrorLaunchOutOfResources = 701
    cudaErrorLaunchTimeout = 702
    cudaErrorLaunchIncompatibleTexturing = 703
    cudaErrorPeerAccessAlreadyEnabled = 704
    cudaErrorPeerAccessNotEnabled = 705
    cudaErrorSetOnActiveProcess = 708
    cudaErrorContextIsDestroyed = 709
    cudaErrorAssert = 710
    cudaErrorTooManyPeers = 711
    cudaErrorHostMemoryAlreadyRegistered = 712
    cudaErrorHostMemoryNotRegistered = 713
    cudaErrorHardwareStackError = 714
    cudaErrorIllegalInstruction = 715
    cudaErrorMisalignedAddress = 716
    cudaErrorInvalidAddressSpace = 717
    cudaErrorInvalidPc = 718
    cudaErrorLaunchFailure = 719
    cudaErrorCooperativeLaunchTooLarge = 720
    cudaErrorNotPermitted = 800
    cudaErrorNotSupported = 801
    cudaErrorSystemNotReady = 802
    cudaErrorSystemDriverMismatch = 803
    cudaErrorCompatNotSupportedOnDevice = 804
    cudaErrorMpsConnectionFailed = 805
    cudaErrorMpsRpcFailure = 806
    cudaErrorMpsServerNotReady = 807
    cudaErrorMpsMaxClientsReached = 808
    cudaErrorMpsMaxConnectionsReached = 809
    cudaErrorMpsClientTerminated = 810
    cudaErrorCdpNotSupported = 811
    cudaErrorCdpVersionMismatch = 812
    cudaErrorStreamCaptureUnsupported = 900
    cudaErrorStreamCaptureInvalidated = 901
    cudaErrorStreamCaptureMerge = 902
    cudaErrorStreamCaptureUnmatched = 903
    cudaErrorStreamCaptureUnjoined = 904
    cudaErrorStreamCaptureIsolation = 905
    cudaErrorStreamCaptureImplicit = 906
    cudaErrorCapturedEvent = 907
    cudaErrorStreamCaptureWrongThread = 908
    cudaErrorTimeout = 909
    cudaErrorGraphExecUpdateFailure = 910
    cudaErrorExternalDevice = 911
    cudaErrorInvalidClusterSize = 912
    cudaErrorFunctionNotLoaded = 913
    cudaErrorInvalidResourceType = 914
    cudaErrorInvalidResourceConfiguration = 915
    cudaErrorUnknown = 999
    cudaErrorApiFailureBase = 10000
class cudaMemcpyKind(enum.IntEnum):
    cudaMemcpyHostToHost = 0
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2
    cudaMemcpyDeviceToDevice = 3
    cudaMemcpyDefault = 4
class cudaStreamCaptureMode(enum.IntEnum):
    cudaStreamCaptureModeGlobal = 0
    cudaStreamCaptureModeThreadLocal = 1
    cudaStreamCaptureModeRelaxed = 2
class cudaDeviceProp:
    ECCEnabled: Any
    accessPolicyMaxWindowSize: Any
    asyncEngineCount: Any
    canMapHostMemory: Any
    canUseHostPointerForRegisteredMem: Any
    clockRate: Any
    clusterLaunch: Any
    computeMode: Any
    computePreemptionSupported: Any
    concurrentKernels: Any
    concurrentManagedAccess: Any
    cooperativeLaunch: Any
    cooperativeMultiDeviceLaunch: Any
    deferredMappingCudaArraySupported: Any
    deviceOverlap: Any
    directManagedMemAccessFromHost: Any
    getPtr: Any
    globalL1CacheSupported: Any
    gpuDirectRDMAFlushWritesOptions: Any
    gpuDirectRDMASupported: Any
    gpuDirectRDMAWritesOrdering: Any
    hostNativeAtomicSupported: Any
    hostRegisterReadOnlySupported: Any
    hostRegisterSupported: Any
    integrated: Any
    ipcEventSupported: Any
    isMultiGpuBoard: Any
    kernelExecTimeoutEnabled: Any
    l2CacheSize: Any
    localL1CacheSupported: Any
    luid: Any
    luidDeviceNodeMask: Any
    major: Any
    managedMemory: Any
    maxBlocksPerMultiProcessor: Any
    maxGridSize: Any
    maxSurface1D: Any
    maxSurface1DLayered: Any
    maxSurface2D: Any
    maxSurface2DLayered: Any
    maxSurface3D: Any
    maxSurfaceCubemap: Any
    maxSurfaceCubemapLayered: Any
    maxTexture1D: Any
    maxTexture1DLayered: Any
    maxTexture1DLinear: Any
    maxTexture1DMipmap: Any
    maxTexture2D: Any
    maxTexture2DGather: Any
    maxTexture2DLayered: Any
    maxTexture2DLinear: Any
    maxTexture2DMipmap: Any
    maxTexture3D: Any
    maxTexture3DAlt: Any
    maxTextureCubemap: Any
    maxTextureCubemapLayered: Any
    maxThreadsDim: Any
    maxThreadsPerBlock: Any
    maxThreadsPerMultiProcessor: Any
    memPitch: Any
    memoryBusWidth: Any
    memoryClockRate: Any
    memoryPoolSupportedHandleTypes: Any
    memoryPoolsSupported: Any
    minor: Any
    multiGpuBoardGroupID: Any
    multiProcessorCount: Any
    name: Any
    pageableMemoryAccess: Any
    pageableMemoryAccessUsesHostPageTables: Any
    pciBusID: Any
    pciDeviceID: Any
    pciDomainID: Any
    persistingL2CacheMaxSize: Any
    regsPerBlock: Any
    regsPerMultiprocessor: Any
    reserved: Any
    reserved1: Any
    reserved2: Any
    reservedSharedMemPerBlock: Any
    sharedMemPerBlock: Any
    sharedMemPerBlockOptin: Any
    sharedMemPerMultiprocessor: Any
    singleToDoublePrecisionPerfRatio: Any
    sparseCudaArraySupported: Any
    streamPrioritiesSupported: Any
    surfaceAlignment: Any
    tccDriver: Any
    textureAlignment: Any
    texturePitchAlignment: Any
    timelineSemaphoreInteropSupported: Any
    totalConstMem: Any
    totalGlobalMem: Any
    unifiedAddressing: Any
    unifiedFunctionPointers: Any
    uuid: Any
    warpSize: Any
def cudaDriverGetVersion() -> tuple[Any, ...]: ...
def cudaFree(devPtr: Any) -> tuple[Any, ...]: ...
def cudaFreeHost(ptr: Any) -> tuple[Any, ...]: ...
def cudaGetDevice() -> tuple[Any, ...]: ...
def cudaGetDeviceCount() -> tuple[Any, ...]: ...
def cudaGetDeviceProperties(device: int) -> tuple[Any, ...]: ...
def cudaGetErrorString(error: cudaError_t) -> tuple[Any, ...]: ...
def cudaGraphDestroy(graph: Any) -> tuple[Any, ...]: ...
def cudaGraphExecDestroy(graphExec: Any) -> tuple[Any, ...]: ...
def cudaGraphInstantiate(graph: Any, flags: int) -> tuple[Any, ...]: ...
def cudaGraphLaunch(graphExec: Any, stream: Any) -> tuple[Any, ...]: ...
def cudaMalloc(size: int) -> tuple[Any, ...]: ...
def cudaMallocHost(size: int) -> tuple[Any, ...]: ...
def cudaMemGetInfo() -> tuple[Any, ...]: ...
def cudaMemcpy2DAsync(dst: Any, dpitch: int, src: Any, spitch: int, width: int, height: int, kind: cudaMemcpyKind, stream: Any) -> tuple[Any, ...]: ...
def cudaMemcpyAsync(dst: Any, src: Any, count: int, kind: cudaMemcpyKind, stream: Any) -> tuple[Any, ...]: ...
def cudaMemsetAsync(devPtr: Any, value: int, count: int, stream: Any) -> tuple[Any, ...]: ...
def cudaRuntimeGetVersion() -> tuple[Any, ...]: ...
def cudaStreamBeginCapture(stream: Any, mode: cudaStreamCaptureMode) -> tuple[Any, ...]: ...
def cudaStreamCreateWithFlags(flags: int) -> tuple[Any, ...]: ...
def cudaStreamDestroy(stream: Any) -> tuple[Any, ...]: ...
def cudaStreamEndCapture(stream: Any) -> tuple[Any, ...]: ...
def cudaStreamSynchronize(stream: Any) -> tuple[Any, ...]: ...
